// The entry of `npm start` and `npm test`. It owns the choice of the command and the first check of the machine; each
// step is a file beside it. Only node: modules are imported, since nothing is installed yet, and this one file keeps
// to syntax that an old Node parses, so that such a machine gets a sentence and not a SyntaxError.
const REQUIRED_NODE_MAJOR = 20;

const commands = {
  start: './start.mjs',
  build: './build.mjs',
  test: './test.mjs',
  'test-native': './native-tests.mjs',
};

const name = process.argv[2];
const found = process.versions.node;

if (Number(found.split('.')[0]) < REQUIRED_NODE_MAJOR) {
  console.error(
    'airllm needs Node ' +
      REQUIRED_NODE_MAJOR +
      ' or newer and found ' +
      found +
      '; get it from https://nodejs.org',
  );
  process.exitCode = 1;
} else if (!Object.prototype.hasOwnProperty.call(commands, name)) {
  console.error('Expected one of ' + Object.keys(commands).join(', ') + ', found ' + String(name));
  process.exitCode = 2;
} else {
  run(commands[name], process.argv.slice(3));
}

function run(module, args) {
  Promise.all([import('./step.mjs'), import(module)]).then(
    ([step, command]) => step.runCommand(() => command.main(args)),
    (error) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
