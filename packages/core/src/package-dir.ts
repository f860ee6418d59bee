// Where this package lies. This file is at the top of src, and its code at the top of dist: both are one below it.

export const PACKAGE_DIR = new URL('..', import.meta.url);
