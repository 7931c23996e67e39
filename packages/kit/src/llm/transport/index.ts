export { Exchange, type ResponseReader, type TransportFailure } from './exchange.ts';
export { createTransport, type Transport, type TransportOptions, type TransportRequest } from './transport.ts';
