/** The two wires that clients and providers speak. */
export type Dialect = 'openai' | 'anthropic';

export type Operation = 'chat' | 'embeddings' | 'count_tokens';
