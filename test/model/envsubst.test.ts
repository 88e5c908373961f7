import { envsubst } from '../../src/model/envsubst';

/** As github.com/fluxcd/pkg/envsubst v1.4.0 has each, run with these variables; `unset` is what it refuses, or makes empty where it is not strict. */
const VALUES: Readonly<Record<string, string>> = { APP: 'radarr', SUB: 'films', EMPTY: '' };
const filled = (text: string, hidden: readonly string[] = []): string =>
  envsubst(text, { valueOf: (name) => VALUES[name], mayBeSet: (name) => hidden.includes(name) });

describe('variables of Flux', () => {
  it.each([
    ['${APP}.example.org', 'radarr.example.org'],
    ['${X:=${APP}}', 'radarr'],
    ['${SUB:=${APP}}', 'films'],
    ['a${X:=${APP}}b', 'aradarrb'],
    ['${X:-${Y:-${APP}}z}', 'radarrz'],
    ['${X:=${APP}-${SUB}}', 'radarr-films'],
    ['${X:=a}b}', 'ab}'],
    ['${X:={a}}', '{a}'],
    ['${X:=$y}', '$y'],
    ['${X:=$$}', '$$'],
    ['${X:-}', ''],
    ['${X=d}', 'd'],
    ['${EMPTY:=d}', 'd'],
    ['${EMPTY}', ''],
    ['$${X}', '${X}'],
    ['$${X:=${APP}}', '${X:=radarr}'],
    ['$$APP $APP', '$APP $APP'],
    ['${APP/ra/x}', 'xdarr'],
    ['${APP/a/}', 'rdarr'],
    ['${APP/a/b/c}', 'rb/cdarr'],
    ['${APP//r/x}', 'xadaxx'],
    ['${APP/ra/${SUB}}', 'filmsdarr'],
    ['${APP^^}', 'RADARR'],
    ['${APP^}', 'Radarr'],
    ['${APP,,}', 'radarr'],
    ['${APP:0:3}', 'rad'],
    ['${APP:1:99}', 'adarr'],
    ['${APP:2}', 'darr'],
    ['${APP:9}', ''],
    ['${APP#ra}', 'darr'],
    ['${APP%rr}', 'rada'],
    ['${APP%%zz}', 'radarr'],
    ['${APP:?no}', 'radarr'],
    ['${X:+y}', 'y'],
  ])('fill in %s as %s', (text, expected) => expect(filled(text)).toBe(expected));

  it.each(['${X}', '${APP#r*}', '${APP', '${APP:=${SUB}', '${a.b}', '${X^^}', '${APP: 1}'])(
    'leave %s as it is, which is not known or not read',
    (text) => expect(filled(text)).toBe(text),
  );

  it('leave what the cluster may set as it is, with its default', () => {
    expect(filled('${X:=${APP}}', ['X'])).toBe('${X:=${APP}}');
    expect(filled('${Y:=${X}}', ['X'])).toBe('${X}');
  });
});
