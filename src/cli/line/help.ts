/** What `signet` alone prints. */
export const HELP = `Usage:  signet COMMAND

Docker Content Trust: sign images, and run only what people you trust have signed.
Every command of docker works here as it does there.

Commands that enforce trust while DOCKER_CONTENT_TRUST=1:
  build       Build an image on signed base images
  create      Create a container from a signed image
  pull        Download a signed image
  push        Upload an image and sign it
  run         Run a signed image
  service     Deploy signed images to a swarm (create, update)

Commands of Signet:
  login       Log in to a registry and its trust server
  logout      Log out
  serve       Run a trust server and registry
  trust       Manage signers, keys and signatures
  user        Manage the accounts of a server

Run 'signet COMMAND --help' for more information on a command.
Set DOCKER_CONTENT_TRUST=1 to enforce. SIGNET_DOCKER names the docker command to use.
`;
