import { dockerClis, withoutTrust } from '../support/clis.ts';
import { ACTS } from './acts.ts';
import { signetNamedDocker } from './frontend.ts';
import { testLesson } from './suite.ts';
import { wayA } from './ways.ts';

const clis = await dockerClis();
const newest = clis.slice(-1);

for (const cli of [...clis, ...newest.map(withoutTrust)]) testLesson(wayA(cli));

for (const cli of newest) {
  testLesson({
    title: `A program named docker that is signet, in front of docker ${cli.version}`,
    face: signetNamedDocker(cli),
    acts: ACTS.slice(0, 1),
  });
}
