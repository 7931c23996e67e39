/** As much of an OpenAPI 3.1 document as is touched here. */
export interface ApiDocument {
  paths: Record<string, Record<string, ApiOperation>>;
  components: { schemas: Record<string, Record<string, unknown>> };
}

export interface ApiOperation {
  parameters?: { name: string; in: string }[];
  operationId?: string;
  requestBody?: { content: Record<string, ApiMedia> };
  responses: Record<string, ApiResponse>;
  security?: object[];
}

export interface ApiResponse {
  description: string;
  headers?: Record<string, object>;
  content?: Record<string, ApiMedia>;
}

export interface ApiMedia {
  schema: Record<string, unknown>;
  example?: unknown;
  examples?: Record<string, { value: unknown; summary?: string }>;
}
