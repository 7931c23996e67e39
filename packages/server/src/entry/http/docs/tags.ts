/** The groups that routes name in `schema.tags`. */
export const apiTags = [
  { name: 'gateway', description: 'Model calls, in the dialects of OpenAI and Anthropic.' },
  { name: 'usage', description: 'What was called, by whom, and what it cost.' },
  { name: 'keys', description: 'API keys: make, list, rotate, revoke.' },
  { name: 'health', description: 'Whether the server works.' },
  { name: 'operations', description: 'For those who run the server.' },
];
