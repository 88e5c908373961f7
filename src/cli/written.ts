/** One file that the user named: whole, or as it was. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { replaceFiles } from '../output/files';
import { UsageError } from './exit';

/** @throws UsageError if it cannot be written, or if its folder is not there: that is most likely misspelled */
export function writeOne(file: string, text: string): void {
  const folder = dirname(file);
  if (!existsSync(folder)) throw new UsageError(`${file} cannot be written: there is no folder ${folder}`);
  try {
    if (existsSync(file) && statSync(file).isDirectory()) throw new Error('it is a folder');
    replaceFiles(folder, new Map([[basename(file), text]]));
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
