/** On which line of a document a field stands, and how it is written: the document is read again for its places when somebody first asks. */
import { EVENT_ID, type Event, SCALAR_STYLE, getScalarValue, parseEvents } from 'js-yaml';
import type { Document } from './documents';
import { indentShallow } from './flow-indentation';
import type { FieldPath, LineOf } from './manifest';
import { plainScalar } from './yaml-scalars';

/** A place that a field path can lead to: a key, or an item of a list, and what is within. */
interface Place {
  readonly line: number;
  readonly entries?: ReadonlyMap<string, Place>;
  /** A plain scalar that reads otherwise than it is written. */
  readonly written?: string;
}

/** The places of a document take many times the memory of its text, so those of a short one are not kept. */
const SHORT = 2_000;

/** Answers with the line of a field, or of its nearest ancestor that the text has. */
export function lineLocator(document: Document): LineOf {
  let kept: Place | null | undefined;
  const way = (field: FieldPath): readonly (Place | undefined)[] => {
    const root = kept === undefined ? placesOf(document) : kept;
    if (document.text.length > SHORT) kept = root;
    const places: (Place | undefined)[] = [root ?? undefined];
    for (const step of field) places.push(places.at(-1)?.entries?.get(String(step)));
    return places;
  };
  return Object.assign(
    (field: FieldPath) =>
      way(field)
        .filter((place) => place !== undefined)
        .at(-1)?.line,
    {
      written: (field: FieldPath) => way(field).at(-1)?.written,
    },
  );
}

function placesOf(document: Document): Place | null {
  try {
    return new PlaceReader(document, parseEvents(document.text, {})).read();
  } catch {
    const text = indentShallow(document.text);
    return text === undefined || text === document.text ? null : placesOf({ ...document, text });
  }
}

class PlaceReader {
  private next = 0;
  /** Where the line ends that was reached; -1 on the last one. Kept, since a long line holds many nodes. */
  private lineEnd: number;

  public constructor(
    private readonly document: Document,
    private readonly events: readonly Event[],
    private line = document.line,
  ) {
    this.lineEnd = document.text.indexOf('\n');
  }

  public read(): Place | null {
    this.next = this.events.findIndex(({ type }) => type !== EVENT_ID.DOCUMENT);
    return this.next === -1 ? null : this.readNode(this.lineHere());
  }

  /** What is within the node that comes next; itself it stands on a line. */
  private readNode(line: number): Place {
    const first = this.lineHere(line);
    const event = this.events[this.next++];
    if (event?.type !== EVENT_ID.MAPPING && event?.type !== EVENT_ID.SEQUENCE) {
      const written = event === undefined ? undefined : this.writtenOtherwise(event);
      return written === undefined ? { line } : { line, written };
    }
    const entries = new Map<string, Place>();
    for (let index = 0; this.events[this.next]?.type !== EVENT_ID.POP; index += 1) {
      const here = this.lineHere(first);
      const name = event.type === EVENT_ID.MAPPING ? this.readKey() : String(index);
      const place = this.readNode(here);
      if (name !== undefined && !entries.has(name)) entries.set(name, place);
    }
    this.next += 1;
    return { line, entries };
  }

  private writtenOtherwise(event: Event): string | undefined {
    if (event.type !== EVENT_ID.SCALAR || event.style !== SCALAR_STYLE.PLAIN) return undefined;
    const source = getScalarValue(this.document.text, event);
    const value = plainScalar(source, 'kubectl');
    return typeof value === 'string' || String(value) === source ? undefined : source;
  }

  private readKey(): string | undefined {
    const key = this.events[this.next];
    this.readNode(0);
    return key?.type === EVENT_ID.SCALAR ? getScalarValue(this.document.text, key) : undefined;
  }

  /** The line on which the node that comes next begins; `otherwise` if it is empty, and has no place. */
  private lineHere(otherwise = this.line): number {
    const event = this.events[this.next];
    const begin = event === undefined ? -1 : beginOf(event);
    if (begin === -1) return otherwise;
    const { text } = this.document;
    while (this.lineEnd !== -1 && this.lineEnd < begin) {
      this.line += 1;
      this.lineEnd = text.indexOf('\n', this.lineEnd + 1);
    }
    return this.line;
  }
}

/** Where a node begins, with its anchor and tag if it has any; -1 if it is empty. */
function beginOf(event: Event): number {
  if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return -1;
  if (event.anchorStart !== -1) return event.anchorStart;
  if (event.type === EVENT_ID.ALIAS) return -1;
  if (event.tagStart !== -1) return event.tagStart;
  if (event.type !== EVENT_ID.SCALAR) return event.start;
  // The text of a block scalar begins on the line behind its `|` or `>`.
  const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
  return isBlock ? event.valueStart - 1 : event.valueStart;
}
