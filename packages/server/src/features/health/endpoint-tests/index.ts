export { createEndpointTester, type EndpointTester, type TestKeys } from './endpoint-tester.ts';
export { endpointTestRoutes } from './routes.ts';
