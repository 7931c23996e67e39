export { exactBody, parseExact, parseObject } from './exact-json.ts';
export { isGiven, isObject, textOf, type JsonObject } from './guards.ts';
