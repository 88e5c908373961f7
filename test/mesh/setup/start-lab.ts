import { Mesh } from '../mesh';

/**
 * Runs once before the mesh tests: starts a lab that ends with this process, or takes one that runs already where
 * `MESH_EDGE_LAB` names it (`npm run lab -- up` spares its start while a test is being written).
 */
export default async function startLab(): Promise<void> {
  process.env.MESH_EDGE_LAB_NAME = process.env.MESH_EDGE_LAB ?? `test-${process.pid}`;
  await Mesh.start();
}
