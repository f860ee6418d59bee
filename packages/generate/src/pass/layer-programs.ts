// The programs of a model's layers, recorded once for a number of rows: every token of a run goes through the same ones.

import type { Program } from '@airllm/backend';
import type { ModelDefinition } from '@airllm/model-zoo';
import { recordLayer } from './pass-programs.js';
import { PREVIEW_ROWS, previewRouter, type RouterPreview } from './preview-router.js';

export class LayerPrograms {
  readonly #definition: ModelDefinition;
  #rows = 0;
  #arenaElements = 0;
  #programs: (Program | undefined)[] = [];
  #previews: (RouterPreview | 'none' | undefined)[] = [];

  constructor(definition: ModelDefinition) {
    this.#definition = definition;
  }

  /** Chooses what the programs are for; those of other numbers are forgotten. */
  choose(rows: number, arenaElements: number): void {
    if (rows === this.#rows && arenaElements === this.#arenaElements) return;
    this.#rows = rows;
    this.#arenaElements = arenaElements;
    this.#programs = [];
    this.#previews = [];
  }

  layer(layer: number): Program {
    return (this.#programs[layer] ??= recordLayer(this.#definition, this.#rows, layer));
  }

  /** Of the layer after `layer`; undefined where there is nothing to foresee. */
  preview(layer: number): RouterPreview | undefined {
    if (layer + 1 >= this.#definition.sizes.layers || this.#rows > PREVIEW_ROWS) return undefined;
    const known = (this.#previews[layer] ??=
      previewRouter(this.layer(layer), this.layer(layer + 1), this.#arenaElements) ?? 'none');
    return known === 'none' ? undefined : known;
  }
}
