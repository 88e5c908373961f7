import { Lab } from '../../lab/lab';

/** Runs once after the mesh tests: ends the lab that they started, and says which of its parts had to be started again. */
export default async function endLab(): Promise<void> {
  if (process.env.MESH_EDGE_LAB !== undefined) return;
  const lab = await Lab.connect(process.env.MESH_EDGE_LAB_NAME);
  if (/The end of its log:/.test(lab.hostLog())) process.stderr.write(`\nThe lab's log:\n${lab.hostLog()}\n`);
  await lab.down();
}
