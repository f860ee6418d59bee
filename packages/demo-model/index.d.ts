/** Absolute path of the trained demo model: Llama architecture, 2.75 M parameters, bf16. */
export declare const demoModelFolder: string;
/** Absolute path of the smaller draft model, same tokenizer, for speculative decoding: 0.39 M parameters, bf16. */
export declare const draftModelFolder: string;
