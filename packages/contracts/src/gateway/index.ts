export { chatCompletion, chatCompletionRequest } from './chat-completions.ts';
export { embeddingList, embeddingRequest } from './embeddings.ts';
export { countTokensAnswer, countTokensRequest, messagesAnswer, messagesRequest } from './messages.ts';
export { modelEntry, modelList } from './models.ts';
