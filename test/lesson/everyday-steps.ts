import { exits, prints, type Step, says } from './step.ts';
import type { Place } from './steps.ts';

/** What people do with docker all day, which trust must not change, whether it is on or off. */
export function everyday({ alice: shell, repository, base }: Place): Step[] {
  const image = `${repository}:unsigned`;
  return [
    ...['0', '1'].flatMap((trust) => [
      {
        title: `what is typed goes in (trust ${trust})`,
        shell,
        line: `echo typed | DOCKER_CONTENT_TRUST=${trust} docker run --interactive --rm ${base} cat`,
        checks: [exits(0), prints('typed\n')],
      },
      {
        title: `the exit code comes out (trust ${trust})`,
        shell,
        line: `DOCKER_CONTENT_TRUST=${trust} docker run --rm ${base} sh -c 'exit 7'`,
        checks: [exits(7)],
      },
      {
        title: `a terminal (trust ${trust})`,
        shell,
        line: `DOCKER_CONTENT_TRUST=${trust} docker run -it --rm -e GREETING=hello ${base} sh`,
        answers: [
          { expect: /# /, send: 'echo $GREETING there' },
          { expect: /\nhello there\r?\n.*# /s, send: 'exit 3' },
        ],
        checks: [exits(3)],
      },
      {
        title: `a container in the background (trust ${trust})`,
        shell,
        line: `DOCKER_CONTENT_TRUST=${trust} docker run --detach --name worker ${base} sleep 100 && docker exec worker echo inside && docker rm --force worker`,
        checks: [exits(0), says(/^inside\nworker$/m)],
      },
    ]),
    {
      title: 'an image described',
      shell,
      line: `docker inspect --format '{{json .Config.Cmd}}' ${image}`,
      checks: [exits(0), prints('["/bin/sh","-c","echo It worked!"]\n')],
    },
    {
      title: 'a container with the name of an image described',
      shell,
      line: `docker create --name busybox ${base} true && docker inspect --format '{{.Name}}' busybox && docker rm busybox`,
      checks: [exits(0), says(/^\/busybox$/m)],
    },
    {
      title: 'images listed',
      shell,
      line: `docker images --format '{{.Tag}}' ${repository} | sort`,
      checks: [exits(0), says(/^unsigned$/m)],
    },
    {
      title: "an image's history",
      shell,
      line: `docker history --quiet ${image}`,
      checks: [exits(0), says(/^[0-9a-f]{12}$/m)],
    },
    {
      title: 'an image taken away and brought back',
      shell,
      line: `docker save --output image.tar ${image} && docker rmi ${image} && docker load --input image.tar && docker run --rm ${image}`,
      checks: [exits(0), says(/^It worked!$/m)],
    },
    {
      title: 'an image made of a container',
      shell,
      line: `docker create --name made ${base} true && docker commit --change 'CMD echo committed' made ${repository}:made && docker run --rm ${repository}:made && docker rm made && docker rmi ${repository}:made`,
      checks: [exits(0), says(/^committed$/m)],
    },
    { title: 'help', shell, line: 'docker run --help', checks: [exits(0), says(/^Usage: +docker (container )?run /m)] },
    { title: 'an unknown option', shell, line: `docker run --nonsense ${base}`, checks: [exits(125), prints('')] },
    {
      title: 'an unknown option, trust on',
      shell,
      line: `DOCKER_CONTENT_TRUST=1 docker run --nonsense ${base}`,
      checks: [exits(125), prints('')],
    },
  ];
}
