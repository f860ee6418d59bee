export { default } from '@airllm/jest-preset';
