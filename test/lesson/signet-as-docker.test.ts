import { dockerClis } from '../support/clis.ts';
import { testLesson } from './suite.ts';
import { wayA } from './ways.ts';

for (const cli of await dockerClis()) testLesson(wayA(cli));
