/**
 * Fewest and most digits of a national number by country calling code (ITU-T E.164 and the national numbering plans notified to the ITU), of
 * those that differ from 6 to 12. All other assigned codes are in `others`.
 */
const plans: Readonly<Record<string, readonly [number, number]>> = Object.freeze({
  1: [10, 10],
  7: [10, 10],
  20: [8, 10],
  27: [9, 9],
  30: [10, 10],
  31: [9, 9],
  32: [8, 9],
  33: [9, 9],
  34: [9, 9],
  36: [8, 9],
  39: [6, 11],
  40: [9, 9],
  41: [9, 9],
  43: [7, 13],
  44: [9, 10],
  45: [8, 8],
  46: [7, 10],
  47: [8, 8],
  48: [9, 9],
  49: [7, 12],
  51: [8, 9],
  52: [10, 11],
  54: [10, 11],
  55: [10, 11],
  56: [9, 9],
  57: [8, 10],
  60: [8, 10],
  61: [9, 9],
  62: [8, 12],
  63: [8, 10],
  64: [8, 10],
  65: [8, 8],
  66: [8, 9],
  81: [9, 10],
  82: [8, 10],
  84: [9, 10],
  86: [10, 11],
  90: [10, 10],
  91: [10, 10],
  92: [9, 10],
  94: [9, 9],
  98: [10, 10],
  351: [9, 9],
  352: [6, 11],
  353: [8, 9],
  354: [7, 9],
  358: [6, 11],
  380: [9, 9],
  420: [9, 9],
  421: [9, 9],
  852: [8, 8],
  886: [8, 9],
  961: [7, 8],
  965: [8, 8],
  966: [8, 9],
  971: [8, 9],
  972: [8, 9],
  974: [8, 8],
});

const others = (
  '53 58 93 95 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 243 244 245 ' +
  '246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291 297 298 299 350 355 356 357 359 370 371 372 373 ' +
  '374 375 376 377 378 381 382 383 385 386 387 389 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 674 ' +
  '675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 853 855 856 870 878 880 881 882 883 888 960 962 963 964 967 968 970 ' +
  '973 975 976 977 979 992 993 994 995 996 998'
).split(' ');

export interface NumberLength {
  readonly min: number;
  readonly max: number;
}

/** By calling code, as a number. */
const byCode: (NumberLength | undefined)[] = new Array<undefined>(1_000).fill(undefined);
for (const code of others) byCode[Number(code)] = { min: 6 + code.length, max: 12 + code.length };
for (const [code, [min, max]] of Object.entries(plans)) byCode[Number(code)] = { min: min + code.length, max: max + code.length };

/** Fewest and most digits of a whole international number that begins with these three, the calling code included, without `+`. */
export function internationalLength(first: number, second: number, third: number): NumberLength | undefined {
  if (first === 0) return undefined;
  return byCode[first] ?? byCode[first * 10 + second] ?? byCode[first * 100 + second * 10 + third];
}
