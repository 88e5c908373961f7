import { dirname, isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IConstruct } from 'constructs';

const MADE = Symbol.for('cdk8s-mesh-edge.made');

/** As deep as wrappers of a team's own, and of theirs, are nested. */
const FRAMES = 30;

interface Made extends IConstruct {
  [MADE]?: Place;
}

/** What is kept; `line` is what a validation asks that has another copy of this library. */
class Place {
  public constructor(private readonly frames: { readonly stack?: string }) {}

  public line(): string | undefined {
    return innermostOwn(this.frames.stack);
  }
}

/**
 * Keeps from where a construct was made. Only the frames are kept; they are read if something turns out to be wrong with the construct.
 *
 * @internal
 */
export function rememberLine(construct: IConstruct): void {
  if ((construct as Made)[MADE]) return;
  Object.defineProperty(construct, MADE, { value: new Place(framesHere()) });
}

function framesHere(): { readonly stack?: string } {
  const at: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(at);
  Error.stackTraceLimit = limit;
  return at;
}

/**
 * The line of the user's own code that made a construct, as "main.ts:6": the innermost frame below the working folder that belongs to no
 * library. Undefined where there is none, as in the other languages of jsii.
 *
 * @internal
 */
export function ownLine(construct: IConstruct): string | undefined {
  return (construct as Made)[MADE]?.line();
}

/**
 * The line of the user's own code that is being run.
 *
 * @internal
 */
export function ownLineNow(): string | undefined {
  return innermostOwn(framesHere().stack);
}

function innermostOwn(stack = ''): string | undefined {
  const frames = stack.split('\n').flatMap((line) => placeOf(line) ?? []);
  // The innermost frame is this very file, wherever compilers and source maps say that it is.
  const library = frames[0] === undefined ? undefined : dirname(dirname(frames[0].file));
  const rooms = ROOMS.map((room) => `${library}${sep}${room}${sep}`);
  for (const { file, line } of frames) {
    const inside = relative(process.cwd(), file);
    const isOwn =
      inside !== '' && !inside.startsWith('..') && !isAbsolute(inside) && !inside.split(sep).includes('node_modules');
    if (isOwn && !rooms.some((room) => file.startsWith(room))) return `${inside.split(sep).join('/')}:${line}`;
  }
  return undefined;
}

/** Folders of this library beside this one's, as opposed to those of an app that lies there too. */
const ROOMS: readonly string[] = ['core', 'app', 'mesh', 'egress', 'ingress', 'access', 'install', 'output'];

function placeOf(line: string): { readonly file: string; readonly line: string } | undefined {
  const [, place, number] = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()\s][^()]*):(\d+):\d+\)?$/.exec(line) ?? [];
  if (place === undefined || number === undefined || place.startsWith('node:')) return undefined;
  return { file: place.startsWith('file://') ? fileURLToPath(place) : place, line: number };
}
