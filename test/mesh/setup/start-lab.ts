import { Lab } from '../../lab/lab';
import { Mesh } from '../mesh';

/**
 * Runs once before the mesh tests: starts a lab that ends with this process, or takes one that runs already where
 * `MESH_EDGE_LAB` names it (`npm run lab -- up` spares its start while a test is being written).
 */
export default async function startLab(): Promise<void> {
  const running = process.env.MESH_EDGE_LAB;
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const name = running ?? `test-${process.pid}`;
  const lab = running ? await Lab.connect(name) : await Lab.start({ name, attached: true, say });
  process.env.MESH_EDGE_LAB_NAME = name;
  await new Mesh(lab).furnish();
}
