export { canonicalJson, type CanonicalValue } from './canonical-json.ts';
