#!/usr/bin/env node
import { main } from '../dist/build.js';

process.exitCode = await main(process.cwd());
