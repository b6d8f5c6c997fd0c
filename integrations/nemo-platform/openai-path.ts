/**
 * The inference gateway's OpenAI root for one workspace, ending in its version. It looks for models in the path's
 * workspace alone, whatever workspace the model's name begins with.
 */
export function openAiPath(workspace: string): string {
  return `/apis/inference-gateway/v2/workspaces/${encodeURIComponent(workspace)}/openai/-/v1`;
}
