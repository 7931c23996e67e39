/** A change that no test notices, and why that may stay so: nobody who calls the module can tell. */
export interface AcceptedSurvivor {
  /** Below packages/kit/src, or all that match. */
  readonly file: string | RegExp;
  /** The whole line on which the change begins, without the space around it, or all that match. */
  readonly line: string | RegExp;
  /** What stands there instead, with single spaces. Left out: whatever is changed on the line. */
  readonly changes?: readonly string[];
  readonly reason: string;
}

const table = 'ratelimit/drivers/memory/bucket-table.ts';
const leases = 'ratelimit/drivers/memory/concurrency-bucket.ts';
const gcra = 'ratelimit/drivers/memory/gcra-bucket.ts';
const memory = 'ratelimit/drivers/memory/memory-driver.ts';
const window = 'ratelimit/drivers/memory/window-bucket.ts';
const share = 'ratelimit/local-share/local-share-driver.ts';

const inRateLimit: readonly AcceptedSurvivor[] = [
  { file: table, line: "this.blank = make('', policy);", reason: 'nobody asks the empty bucket for its key' },
  {
    file: table,
    line: 'for (let step = 0; step < steps && this.#list.length > 0; step++) {',
    changes: ['step <= steps'],
    reason: 'how many are looked at in one go is a matter of cost',
  },
  {
    file: table,
    line: 'for (let seen = 0; seen < candidates && leastShare > 0; seen++) {',
    changes: ['seen <= candidates', 'true', 'leastShare >= 0'],
    reason: 'one candidate more, or going on when an idle one was found, finds one that is as empty',
  },
  {
    file: table,
    line: 'this.#draw = (Math.imul(this.#draw, 1_664_525) + 1_013_904_223) >>> 0;',
    changes: ['Math.imul(this.#draw, 1_664_525) - 1_013_904_223'],
    reason: 'another series of numbers that spreads as evenly',
  },
  {
    file: table,
    line: 'if (share < leastShare) [victim, leastShare] = [bucket, share];',
    changes: ['share <= leastShare'],
    reason: 'of two that are as full either may go',
  },
  { file: leases, line: 'const lease = ++leases;', changes: ['--leases'], reason: 'it has to be another number each time, no more' },
  {
    file: leases,
    line: /this\.#nextEndMs/,
    changes: ['endMs <= this.#nextEndMs', 'false'],
    reason: 'sets the same number again, or looks through leases of which none has ended: cost only',
  },
  {
    file: gcra,
    line: 'return excess > 0 ? Math.ceil(excess / policy.drain) : 0;',
    changes: ['excess >= 0'],
    reason: '0 divided is 0',
  },
  { file: gcra, line: 'return debt > 0 ? debt : 0;', changes: ['debt >= 0'], reason: '0 either way' },
  {
    file: gcra,
    line: /^if \(policy\.unit !== 'tokens'\) return/,
    changes: ['false'],
    reason: 'a bucket of requests is never settled: spares it the sums',
  },
  {
    file: gcra,
    line: /^if \(actual >= cost\) return this\.#charge/,
    changes: ['actual > cost'],
    reason: 'as much as was reserved: to charge 0 or to give 0 back is the same',
  },
  {
    file: gcra,
    line: /^if \(this\.#debt > 0\) this\.#debt = Math\.min/,
    changes: ['true', 'this.#debt >= 0'],
    reason: 'an empty bucket that had no weight yet would hold NaN, which reads as 0 and is gone with the first cost',
  },
  { file: gcra, line: 'this.#generation = ++generations;', changes: ['--generations'], reason: 'another number each time, no more' },
  {
    file: gcra,
    line: 'this.#debt = debt < Number.MAX_SAFE_INTEGER ? debt : Number.MAX_SAFE_INTEGER;',
    changes: ['debt <= Number.MAX_SAFE_INTEGER'],
    reason: 'the same number either way',
  },
  {
    file: /gcra/,
    line: /Number\.MAX_SAFE_INTEGER \/ 2/,
    changes: ['this.#charged >= Number.MAX_SAFE_INTEGER / 2', 'burst * weight >= Number.MAX_SAFE_INTEGER / 2'],
    reason: 'half of an odd number is no whole number, so it is never reached exactly',
  },
  {
    file: memory,
    line: 'if (table.size === 0) this.#tables.delete(id);',
    changes: ['false'],
    reason: 'an empty table is as good as none; frees the memory of policies that are no more',
  },
  {
    file: window,
    line: /^for \(.* at < this\.#entries\.length; at \+= 2\)/,
    changes: ['at <= this.#entries.length'],
    reason: 'beyond the end nothing is found',
  },
  { file: window, line: 'if (cost === 0) return slot;', changes: ['false'], reason: 'an entry of 0 counts nothing: memory only' },
  {
    file: window,
    line: /^if \(last >= this\.#head && this\.#entries\[last\] === slot\)/,
    changes: ['true', 'last > this.#head'],
    reason: 'nothing is before the first entry, and a second entry of the same slot counts as much: memory only',
  },
  {
    file: window,
    line: 'else if (this.#entries.length === 0) this.#entries = [slot, cost];',
    changes: ['false'],
    reason: 'memory only, as the line above it says',
  },
  { file: window, line: 'if (actual >= cost) {', changes: ['actual > cost'], reason: 'to add 0 or to give 0 back is the same' },
  {
    file: window,
    line: 'this.#forget(policy, now);',
    reason: 'the driver has asked for the wait or the use at the same moment before; kept so that each method is right by itself',
  },
  {
    file: window,
    line: 'for (let at = this.#entries.length - 2; at >= this.#head; at -= 2) {',
    changes: ['this.#entries.length + 2'],
    reason: 'begins where there is nothing yet',
  },
  {
    file: window,
    line: /^(if \(this\.#head === entries\.length\) return;|if \(head === this\.#head\) return;)$/,
    changes: ['false'],
    reason: 'a short cut to the same end',
  },
  {
    file: window,
    line: /^while \(head < entries\.length && entries\[head\]! <= newestGone\)/,
    changes: ['true', 'head <= entries.length'],
    reason: 'nothing is not smaller than a number: ends all the same',
  },
  {
    file: window,
    line: /^(if \(head === entries\.length\) \{|\} else if \(head >= 32\) \{)$/,
    reason: 'when the space of what is gone is freed: memory only',
  },
  {
    file: 'ratelimit/fullest.ts',
    line: 'if (best.length >= 4 * limit) best = cut(best, limit);',
    reason: 'how many are kept on the way: memory only (a property test compares with the whole list sorted)',
  },
  {
    file: 'ratelimit/header-fields.ts',
    line: /^(if \(fields\) return fields;|known\.set\(policy, fields\);)$/,
    reason: 'what is remembered is made again: cost only',
  },
  {
    file: 'ratelimit/header-fields.ts',
    line: /^const windowMs = policy\.kind === 'gcra'/,
    changes: ['true'],
    reason: 'a concurrency limit has no windowMs, and undefined is not above 0 either',
  },
  {
    file: share,
    line: 'const local: BucketStatus[] = [];',
    changes: ['["Stryker was here"]'],
    reason: 'not a lease: renewing leaves it out',
  },
  {
    file: share,
    line: /^(if \(this\.#sharedBy !== this\.#fleet\.size\) \{|if \(!share\) this\.#shares\.set)/,
    changes: ['true'],
    reason: 'shares are made again: cost only',
  },
  {
    file: share,
    line: 'if (over) late?.(value);',
    changes: ['late(value)'],
    reason: 'throws in a promise that nobody waits for: only where nobody asked to hear of what is late',
  },
  {
    file: share,
    line: /^if \(settlements\.length > 0\) this\.settle\(settlements\)\.catch/,
    reason: 'settling nothing asks nobody, and settling does not reject: it announces what is lost',
  },
  {
    file: 'ratelimit/local-share/share-of-policy.ts',
    line: /unit: unit === 'tokens' \? unit : 'requests'/,
    changes: ['true'],
    reason: 'the third unit is that of concurrency, which neither kind has: for the type alone',
  },
];

const breaker = 'resilience/breaker/breaker.ts';
const hedge = 'resilience/hedge/hedge.ts';
const overload = 'resilience/overload/overload-detector.ts';
const scope = 'resilience/scope.ts';

const inResilience: readonly AcceptedSurvivor[] = [
  {
    file: /^resilience\//,
    line: /clock\.setTimeout\(.*, true\);$/,
    changes: ['false'],
    reason: 'whether a timer keeps the process alive: a fake clock has no process',
  },
  {
    file: 'resilience/breaker/await-admission.ts',
    line: 'if (cancellation.cancelled) giveUp(cancellation.reason);',
    changes: ['false'],
    reason: 'to listen to a cancellation that has come is to hear it at once',
  },
  {
    file: breaker,
    line: /^#(probing|halfOpen) = false;$/,
    reason: 'only read while it is open, and opening sets it',
  },
  {
    file: breaker,
    line: /^if \(isHoldfastError\(error\)\) return/,
    changes: ['false'],
    reason: 'its code is a text, which any error with a code is described by',
  },
  {
    file: 'resilience/breaker/drivers/local-store.ts',
    line: /claimedGeneration: -1/,
    changes: ['+1'],
    reason: 'a claim that ended at 0 is none, of whichever generation',
  },
  {
    file: 'resilience/classify-failure.ts',
    line: /^(file_processing|budget): 'permanent',$/,
    reason: 'no error of the table has this category yet: the type wants a word for each',
  },
  {
    file: 'resilience/concurrency/adaptive.ts',
    line: /^if \(this\.#slots\.inUse > this\.#maxInFlight\)/,
    changes: ['this.#slots.inUse >= this.#maxInFlight'],
    reason: 'sets the same number again',
  },
  {
    file: 'resilience/concurrency/adaptive.ts',
    line: /^meanMs: this\.#answered === 0 \? undefined/,
    changes: ['false'],
    reason: 'a window without an answer has a drop in it, which is looked at first',
  },
  {
    file: 'resilience/concurrency/limit-algorithm.ts',
    line: 'if (this.#longMeanMs / meanMs > 2) this.#longMeanMs *= 0.9;',
    changes: ['this.#longMeanMs / meanMs >= 2'],
    reason: 'exactly twice is as good a place to begin',
  },
  {
    file: 'resilience/concurrency/slots.ts',
    line: 'this.unlink?.();',
    reason: 'it is set by the time that anybody can end the wait: for the type alone',
  },
  {
    file: 'resilience/create-policy.ts',
    line: /^const deadlineOptions = /,
    changes: ['true'],
    reason: 'a deadline that is undefined is none',
  },
  {
    file: 'resilience/create-policy.ts',
    line: 'const execute = createExecute(policy, timeoutMs !== undefined);',
    changes: ['false'],
    reason: 'the innermost layer would listen to a cancellation that the timeout has heard: cost only',
  },
  {
    file: 'resilience/deadline.ts',
    line: /^return start\(next, deadlineAt === context\.deadlineAt \? context/,
    changes: ['false'],
    reason: 'an equal context is made: cost only',
  },
  {
    file: 'resilience/hedge/hedge-trigger.ts',
    line: 'if (this.#credit < 1 - 1e-9) return false;',
    changes: ['this.#credit <= 1 - 1e-9'],
    reason: 'the margin is for rounding errors; no sum ends exactly on it',
  },
  {
    file: hedge,
    line: /^if \(dueMs !== undefined && this\.#startedAt \+ dueMs/,
    changes: ['true'],
    reason: 'a sum with undefined is below no deadline',
  },
  {
    file: hedge,
    line: /^if \(!other \|\| waitMs > other\.waitMs/,
    changes: ['at <= other.at'],
    reason: 'a request fails once',
  },
  {
    file: hedge,
    line: /^(if \(!this\.#close\(undefined\)\) return;|if \(!this\.#open\) return false;|this\.#open = false;|this\.#parent\.onCommit\(undefined\);)$/,
    reason: 'a second lock: a race that is over has unlinked its caller, and a promise that is settled stays so',
  },
  {
    file: overload,
    line: /^return share > 0 && \(share >= 1 \|\|/,
    changes: ['true', 'share >= 0', 'false', 'share > 1', 'this.#random.next() <= share'],
    reason: 'a number from 0 up to, never 1 is never below 0 and always below 1: spares the draw',
  },
  {
    file: 'resilience/overload/process-signals.ts',
    line: /^return limit > 0 \? Math\.min\(limit, totalmem\(\)\)/,
    reason: 'what the kernel says of a limit differs by machine; the test compares with the rule on the one that it runs on',
  },
  {
    file: 'resilience/overload/process-signals.ts',
    line: 'return { signals, close: () => loop?.close() };',
    reason: 'its monitor does not keep the process alive, so that a test would have to look into it',
  },
  {
    file: 'resilience/retry-after.ts',
    line: /^if \(milliseconds !== undefined && |^if \(text === undefined\)/,
    changes: ['true', 'false'],
    reason: 'undefined read as a number or a date is none',
  },
  {
    file: 'resilience/retry-after.ts',
    line: /^if \(Number\(text\) >= 0\)/,
    changes: ['Number(text) > 0'],
    reason: '0 read as a date is long past, which is 0 as well',
  },
  {
    file: scope,
    line: /=== nobody\)|!== nobody\)/,
    reason: 'to listen to nobody is to hear nothing: cost only',
  },
  {
    file: scope,
    line: /^(if \(this\.#open\) this\.#cancel\(|if \(!this\.#open\) return false;|this\.#open = false;)/,
    reason: 'a second lock: a scope that is over has no timer and no caller any more, and its promise is settled',
  },
  {
    file: 'resilience/sliding-window.ts',
    line: 'if (now !== this.#slot) {',
    changes: ['true'],
    reason: 'no slot lies between a slot and itself: cost only',
  },
  {
    file: 'resilience/sliding-window.ts',
    line: /^for \(let slot = Math\.max\(this\.#slot \+ 1, now - slotCount \+ 1\)/,
    changes: ['now - slotCount - 1'],
    reason: 'after so long every slot is cleared, some of them twice',
  },
  {
    file: 'resilience/timeout.ts',
    line: /^if \(deadlineAt === Number\.POSITIVE_INFINITY\) return runInScope/,
    changes: ['false'],
    reason: 'an infinite rest is not below the limit: a short cut to the same end',
  },
  {
    file: 'resilience/wrap.ts',
    line: 'return this.#at < 0 ? undefined : { signal: signalOf(this.#args[this.#at]) };',
    changes: ['false'],
    reason: 'options without a signal are as good as none: cost only',
  },
  {
    file: 'resilience/wrap.ts',
    line: /^for \(let at = 0; at < args\.length; at\+\+\)/,
    changes: ['at <= args.length'],
    reason: 'beyond the end there is no signal',
  },
];

export const acceptedSurvivors: readonly AcceptedSurvivor[] = [
  {
    file: /./,
    line: /^if \(\w+\.hasSubscribers\) /,
    changes: ['true'],
    reason: 'a channel that nobody listens to publishes nothing: spares the message',
  },
  ...inRateLimit,
  ...inResilience,
];
