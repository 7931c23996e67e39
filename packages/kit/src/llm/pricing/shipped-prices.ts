import type { PriceFile } from './price-file.ts';
import anthropic from './prices/anthropic.json' with { type: 'json' };
import deepseek from './prices/deepseek.json' with { type: 'json' };
import gemini from './prices/gemini.json' with { type: 'json' };
import mistral from './prices/mistral.json' with { type: 'json' };
import openai from './prices/openai.json' with { type: 'json' };

/** The prices that come with the package. In it, and not fetched: a price book that needs the network at start is empty when it matters. */
export const shippedPrices = [anthropic, deepseek, gemini, mistral, openai] as unknown as readonly PriceFile[];
