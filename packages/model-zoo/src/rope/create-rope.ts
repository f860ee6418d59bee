// Turns a rope config into tables of cosines and sines.

import type { Rope } from '../rope.js';
import { dynamicFrequencies } from './dynamic.js';
import { f32, fixedFrequencies, inverseOf, wavelengths, type Frequencies } from './frequencies.js';
import { linearFrequencies } from './linear.js';
import { llama3Frequencies } from './llama3.js';
import { longropeFrequencies } from './longrope.js';
import { promptNtkFrequencies } from './prompt-ntk.js';
import type { RopeConfig } from './rope-config.js';
import { yarnFrequencies } from './yarn.js';

/** A rotary embedding of the type the config names. Tables are float32, as the reference computes them. */
export function createRope(config: RopeConfig): Rope {
  const { headDim, rotaryDim, style } = config;
  const half = rotaryDim / 2;
  const frequencies = frequenciesOf(config);
  const attentionFactor = f32(frequencies.attentionFactor);
  return {
    rotaryDim,
    headDim,
    style,
    restartsOnChange: frequencies.restartsOnChange,
    variant: (sequenceLength, promptLength) => frequencies.variant(sequenceLength, promptLength),
    fill({ cos, sin, row, start, count, sequenceLength, promptLength }) {
      if ((row + count) * half > Math.min(cos.length, sin.length)) {
        throw new RangeError(
          `Expected room for ${row + count} rows of ${half} but received ${cos.length} elements`,
        );
      }
      const inverse = frequencies.inverse(sequenceLength, promptLength);
      let at = row * half;
      for (let position = start; position < start + count; position++) {
        for (const frequency of inverse) {
          const angle = f32(frequency * position);
          cos[at] = f32(Math.cos(angle)) * attentionFactor;
          sin[at] = f32(Math.sin(angle)) * attentionFactor;
          at++;
        }
      }
    },
  };
}

function frequenciesOf({ theta, rotaryDim, maxPositions, scaling }: RopeConfig): Frequencies {
  switch (scaling.type) {
    case 'default':
      return fixedFrequencies(inverseOf(wavelengths(theta, rotaryDim)));
    case 'linear':
      return linearFrequencies({ theta, rotaryDim, factor: scaling.factor });
    case 'dynamic':
      return dynamicFrequencies({ theta, rotaryDim, factor: scaling.factor, maxPositions });
    case 'prompt-ntk':
      return promptNtkFrequencies({ theta, rotaryDim, trainedLength: scaling.trainedLength });
    case 'llama3':
      return llama3Frequencies({ theta, rotaryDim, scaling });
    case 'yarn':
      return yarnFrequencies({ theta, rotaryDim, scaling });
    case 'longrope':
      return longropeFrequencies({ theta, rotaryDim, scaling });
  }
}
