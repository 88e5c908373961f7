/** What the configuration file says: the one that was named, else mesh-edge.yaml if it is in this folder. */
import { existsSync, readFileSync } from 'node:fs';
import type { Configuration } from '../check/configuration';
import { UsageError } from './exit';

export async function configuration(named: string | undefined): Promise<Configuration> {
  const file = named ?? 'mesh-edge.yaml';
  if (named === undefined && !existsSync(file)) return { suppress: [], mesh: {} };
  const { readConfiguration } = await import('../check/configuration.js');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return readConfiguration(text, file);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
