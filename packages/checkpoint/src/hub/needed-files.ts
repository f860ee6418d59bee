// Which files of a repository running a model needs besides its weights: config, tokenizer, chat template.
// Weights in other formats, training state, images and code are not fetched; code is never run.

/** Named chat templates, beside the one of every day. */
export const TEMPLATE_FOLDER = 'additional_chat_templates';

const NEEDED = [
  /^(config|generation_config|hf_quant_config)\.json$/,
  /^tokenizer[\w.-]*$/,
  /^(special_tokens_map|added_tokens|vocab)\.json$/,
  /^(merges|vocab)\.txt$/,
  /^chat_template\.(jinja|json)$/,
  /\.(model|tiktoken)$/,
  new RegExp(`^${TEMPLATE_FOLDER}/[\\w.-]+\\.jinja$`),
];

/** True for config, tokenizer and template files, false for weights and all else. */
export function isNeededFile(name: string): boolean {
  return !name.endsWith('.py') && NEEDED.some((pattern) => pattern.test(name));
}
