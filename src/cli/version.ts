import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version of this package, from its package.json, which is two folders up both in the sources and in `lib/cli`. */
export function packageVersion(): string {
  const parsed: { version?: string } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8'));
  return parsed.version ?? '0.0.0';
}
