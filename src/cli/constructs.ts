import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Constructs } from '../adopt/run';
import { UsageError } from './exit';

/**
 * The constructs beside this command line, and the cdk8s that its user has. They are no part of the command line's bundle: only `adopt`
 * runs them. `bin/mesh-edge` makes `constructs.cjs` in a clone; a package has them compiled.
 *
 * @throws UsageError where cdk8s is not installed
 */
export function loadConstructs(): Constructs {
  const load = createRequire(__filename);
  const ours = [join(__dirname, 'constructs.cjs'), join(__dirname, '..', 'src', 'index.js')].find((file) =>
    existsSync(file),
  );
  try {
    return {
      cdk8s: load('cdk8s') as Constructs['cdk8s'],
      edge: load(ours ?? 'cdk8s-mesh-edge') as Constructs['edge'],
    };
  } catch (error) {
    throw new UsageError(
      `adopt runs the constructs that it writes, and they cannot be loaded: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}: npm install cdk8s constructs`,
    );
  }
}
