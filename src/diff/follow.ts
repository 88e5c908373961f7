/** One request through one side of a change. */
import type { Mesh } from '../model/mesh';
import { NoGateway, notFollowed, noSuchGateway, type Recorder, RequestError, trace } from '../trace/index';
import type { Trace, TraceRequest } from '../trace/types';

/** A request that a set can make no sense of is unknown in it; a gateway that only one has refuses it in the other. */
export function follow(mesh: Mesh, request: TraceRequest, recorder?: Recorder): Trace {
  try {
    return trace(mesh, request, recorder);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return error instanceof NoGateway && request.at !== undefined ? noSuchGateway(request.at) : notFollowed(error);
  }
}
