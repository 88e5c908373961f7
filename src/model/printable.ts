/** Where the reading half takes it from; constructs and what writes files use it as well. */
export { allPrintable, json, printable, safeOutput } from '../output/printable';
