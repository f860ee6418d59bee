// The fields of sentencepiece_model.proto (google/sentencepiece, src) that tokenizing needs, as a descriptor for
// the protobuf library. Other fields are skipped by it.

import { create, createFileRegistry, type DescMessage } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: Type;
  readonly typeName?: string;
  readonly defaultValue?: string;
  readonly repeated?: true;
}

const PACKAGE = 'sentencepiece';

const piece: Field[] = [
  { name: 'piece', number: 1, type: Type.STRING },
  { name: 'score', number: 2, type: Type.FLOAT },
  { name: 'type', number: 3, type: Type.INT32, defaultValue: '1' },
];
const trainer: Field[] = [
  { name: 'model_type', number: 3, type: Type.INT32, defaultValue: '1' },
  { name: 'treat_whitespace_as_suffix', number: 24, type: Type.BOOL },
  { name: 'byte_fallback', number: 35, type: Type.BOOL },
  { name: 'unk_id', number: 40, type: Type.INT32, defaultValue: '0' },
  { name: 'bos_id', number: 41, type: Type.INT32, defaultValue: '1' },
  { name: 'eos_id', number: 42, type: Type.INT32, defaultValue: '2' },
  { name: 'pad_id', number: 43, type: Type.INT32, defaultValue: '-1' },
];
const normalizer: Field[] = [
  { name: 'precompiled_charsmap', number: 2, type: Type.BYTES },
  { name: 'add_dummy_prefix', number: 3, type: Type.BOOL, defaultValue: 'true' },
  { name: 'remove_extra_whitespaces', number: 4, type: Type.BOOL, defaultValue: 'true' },
  { name: 'escape_whitespaces', number: 5, type: Type.BOOL, defaultValue: 'true' },
];
const model: Field[] = [
  { name: 'pieces', number: 1, type: Type.MESSAGE, typeName: `.${PACKAGE}.SentencePiece`, repeated: true },
  { name: 'trainer_spec', number: 2, type: Type.MESSAGE, typeName: `.${PACKAGE}.TrainerSpec` },
  { name: 'normalizer_spec', number: 3, type: Type.MESSAGE, typeName: `.${PACKAGE}.NormalizerSpec` },
];

const message = (name: string, fields: readonly Field[]) => ({
  name,
  field: fields.map(({ repeated, ...field }) => ({
    ...field,
    label: repeated ? Label.REPEATED : Label.OPTIONAL,
  })),
});

/** The descriptor of `ModelProto`. */
export const modelProto: DescMessage = (() => {
  const file = create(FileDescriptorProtoSchema, {
    name: 'sentencepiece_model.proto',
    package: PACKAGE,
    syntax: 'proto2',
    messageType: [
      message('SentencePiece', piece),
      message('TrainerSpec', trainer),
      message('NormalizerSpec', normalizer),
      message('ModelProto', model),
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  const found = registry.getMessage(`${PACKAGE}.ModelProto`);
  if (found === undefined) throw new Error('ModelProto is not in its own registry');
  return found;
})();

/** `type` of a piece. */
export const PieceType = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;
