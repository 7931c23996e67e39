export { errorCategories, type CategoryTraits, type ErrorCategory } from './categories.ts';
export { toEnvelopeBody, wholeRetryAfterSeconds, type EnvelopeBody, type EnvelopeBodyContext } from './envelope.ts';
export { HoldfastError, isHoldfastError, toHoldfastError, type HoldfastErrorOptions } from './holdfast-error.ts';
export { errorTable, errorTraits, type ErrorCode, type ErrorTraits } from './table.ts';
