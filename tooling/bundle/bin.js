#!/usr/bin/env node
// Bundles the package of the working directory.

import { bundle } from './bundle.js';

await bundle(process.cwd());
