import { is, letter } from './characters.ts';

/** How far before a candidate a word still speaks about it, in characters. */
const reach = 28;

/**
 * The words before a candidate, in lower case. Not those before the last finding or placeholder: what is masked must not tell another
 * story than what was there, or masking twice would find what masking once did not.
 */
export function wordsBefore(text: string, at: number, floor: number): string {
  let start = Math.max(floor, at - reach, 0);
  // Of a word that is cut, the rest may be another one: the "cel" of "parcel".
  while (start > floor && start < at && is(text.charCodeAt(start - 1), letter)) start++;
  const words = text.slice(start, at);
  return words.slice(words.lastIndexOf(']') + 1).toLowerCase();
}

// Each is tried on `reach` characters, so that backtracking is bounded whatever they hold.

const phoneWords =
  /\b(?:tel|tél|phone|mobile|mobil|mob|cell|call|fax|whatsapp|sms|gsm|handy|cel|móvil|ring|text me|dial|komórka|bel|chiama)\b|telefon|teléfono|téléphone|telephone|portable|cellulare|celular|telemóvel|telefoon|rückruf|電話|携帯|电话|手机|電話番号|هاتف|телефон/;

export function speaksOfPhone(words: string): boolean {
  return phoneWords.test(words);
}

const referenceWords =
  /order|invoice|ticket|version|build|release|\b(?:ref|id|no|nr|sku|isbn|ean|pid|port|lot|part|case|batch|serial|tracking|parcel|account|amount|total|uuid|epoch|ts|timestamp|commit|revision|seq|offset|bytes)\b|_id|bestell|rechnung|auftrag|commande|facture|pedido|factura|ordine|fattura|encomenda|fatura|zamówieni|faktura|sipariş|注文|订单|伝票|#|№/;

/** Numbers that are named: an order's, an invoice's, a version's. */
export function speaksOfReference(words: string): boolean {
  return referenceWords.test(words);
}

const ssnWords = /\bssn\b|social security|soc\. ?sec/;

export function speaksOfSsn(words: string): boolean {
  return ssnWords.test(words);
}

const cardWords = /card|karte|carte|tarjeta|carta|cartão|kaart|kart|カード|卡|visa|mastercard|amex|\bpan\b/;

export function speaksOfCard(words: string): boolean {
  return cardWords.test(words);
}

const versionWords =
  /version|\bver\b|\bv\.? ?$|release|build|firmware|upgrade|driver|section|chapter|§|\boid\b|sdk|chrome\/$|wersj|versión|versão|versione|バージョン|版本/;

export function speaksOfVersion(words: string): boolean {
  return versionWords.test(words);
}
