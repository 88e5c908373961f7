import { Lab } from '../../lab/lab';

/** Runs once after the mesh tests: ends the lab that they started. */
export default async function endLab(): Promise<void> {
  if (process.env.MESH_EDGE_LAB === undefined) await (await Lab.connect(process.env.MESH_EDGE_LAB_NAME)).down();
}
