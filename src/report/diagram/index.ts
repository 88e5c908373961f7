/** Pictures of a mesh's edge, or of one request's way, drawn from the manifests alone. */
import type { Mesh } from '../../model/mesh';
import type { Trace, TraceRequest } from '../../trace/types';
import { allPrintable } from '../../model/printable';
import { traceMermaid } from '../trace-mermaid';
import { edgeMermaid } from './edge-mermaid';
import { edgeSvg } from './edge-svg';
import { edgeMap } from './flows';
import { edgeHtml, pathHtml } from './html';
import { pathOf } from './path';
import { pathSvg } from './path-svg';

export type PictureFormat = 'mmd' | 'svg' | 'html';

export function requestPicture(found: Trace, asked: TraceRequest, as: PictureFormat): string {
  const [trace, request] = allPrintable([found, asked] as const);
  switch (as) {
    case 'mmd':
      return traceMermaid(trace, request);
    case 'svg':
      return pathSvg(pathOf(trace, request));
    case 'html':
      return pathHtml(pathOf(trace, request));
  }
}

export function edgePicture(mesh: Mesh, as: PictureFormat, onProgress?: (done: number, total: number) => void): string {
  const map = allPrintable(edgeMap(mesh, onProgress));
  switch (as) {
    case 'mmd':
      return edgeMermaid(map);
    case 'svg':
      return edgeSvg(map);
    case 'html':
      return edgeHtml(map);
  }
}
