import { build, oraclePart } from '../../lab/build';
import { buildEnvoyGateway } from '../../lab/envoy-gateway';
import { Lab } from '../../lab/lab';
import { Mesh, say } from '../mesh';
import { given, labOf } from './labs';

/**
 * Runs once before the mesh tests: starts a lab for each worker, which ends with this process, or takes one that runs already
 * where `MESH_EDGE_LAB` names it (`npm run lab -- up` spares its start while a test is being written).
 */
export default async function startLabs({ maxWorkers }: { readonly maxWorkers: number }): Promise<void> {
  process.env.MESH_EDGE_LABS = `test-${process.pid}`;
  if (given() !== undefined) return void (await Mesh.start(labOf(1)));
  await Lab.prepare(say);
  // The whole suite needs these too, and a lab does not become ready in time while compilers have its cores.
  if (maxWorkers > 1) {
    await buildEnvoyGateway(say);
    await build([oraclePart()], say);
  }
  await Promise.all(Array.from({ length: maxWorkers }, (_, index) => Mesh.start(labOf(index + 1))));
}
