import { is, letter } from './characters.ts';

/** How far before a candidate a word still speaks about it, in characters. */
const reach = 28;

/**
 * The words before a candidate, in lower case. Not those of another member of JSON, and not those before the last finding or placeholder:
 * what is masked must not tell another story than what was there, or masking twice would find what masking once did not.
 */
export function wordsBefore(text: string, at: number, floor: number): string {
  let start = Math.max(floor, at - reach, 0);
  // Of a word that is cut, the rest may be another one: the "cel" of "parcel".
  while (start > floor && start < at && is(text.charCodeAt(start - 1), letter)) start++;
  const words = text.slice(start, at);
  const lastEnd = Math.max(words.lastIndexOf(']'), words.lastIndexOf(',"'), words.lastIndexOf(',\\'));
  return words.slice(lastEnd + 1).toLowerCase();
}

// Each is tried on `reach` characters, so that backtracking is bounded whatever they hold.

/** Of which something is said, and the form has it as a name: `phone_number`. */
const phoneNouns =
  /(?<![a-z])(?:tel|tél|mobile(?:number)?|mobil|mobiel|fax|whatsapp|sms|gsm|handy|móvil|komórka)(?![a-z])|phone|telefon|teléfono|portable|cellulare|celular|telemóvel|telefoon|rückruf|電話|携帯|电话|手机|هاتف|телефон/;
/** What is done with a number, right before it: "call failed after 12345678 bytes" has none. */
const phoneVerbs = /(?<![a-z])(?:call|ring|dial|bel|cell|cel|mob)(?: (?:me|us|him|her))?(?: (?:on|at))?[.:]? ?$/;

export function speaksOfPhone(words: string): boolean {
  return phoneNouns.test(words) || phoneVerbs.test(words);
}

const referenceWords =
  /order|invoice|ticket|version|build|release|\b(?:ref|id|no|nr|sku|isbn|ean|pid|port|lot|part|case|batch|serial|tracking|parcel|account|amount|total|uuid|epoch|ts|timestamp|commit|revision|seq|offset|bytes)\b|_id|bestell|rechnung|auftrag|commande|facture|pedido|factura|ordine|fattura|encomenda|fatura|zamówieni|faktura|sipariş|注文|订单|伝票|#|№/;

/** Numbers that are named: an order's, an invoice's, a version's. */
export function speaksOfReference(words: string): boolean {
  return referenceWords.test(words);
}

const ssnWords = /(?<![a-z])ssn(?![a-z])|social security|soc\. ?sec/;

export function speaksOfSsn(words: string): boolean {
  return ssnWords.test(words);
}

const cardWords = /card|karte|carte|tarjeta|carta|cartão|kaart|kart|カード|卡|visa|mastercard|amex|(?<![a-z])pan(?![a-z])/;

export function speaksOfCard(words: string): boolean {
  return cardWords.test(words);
}

const versionWords =
  /version|\bver\b|\bv\.? ?$|release|build|firmware|upgrade|driver|section|chapter|§|\boid\b|sdk|chrome\/$|wersj|versión|versão|versione|バージョン|版本/;

export function speaksOfVersion(words: string): boolean {
  return versionWords.test(words);
}
