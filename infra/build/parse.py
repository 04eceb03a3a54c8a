#!/usr/bin/env python3
"""parse.py FILE: reads a Cloud Build file with the Cloud SDK's own parser, offline. Run it with a Python that the SDK supports.

It prints the steps, one line each: id, what it waits for, and its script. A file that does not parse exits with 1.
"""
import os
import shutil
import sys


def sdk():
    gcloud = shutil.which("gcloud") or sys.exit("gcloud is not installed")
    for root in (os.path.dirname(os.path.dirname(os.path.realpath(gcloud))), "/usr/lib/google-cloud-sdk"):
        if os.path.isdir(os.path.join(root, "lib", "googlecloudsdk")):
            return os.path.join(root, "lib")
    sys.exit("the Cloud SDK has no library here")


def main(path):
    lib = sdk()
    sys.path[:0] = [lib, os.path.join(lib, "third_party")]
    from googlecloudsdk.api_lib.cloudbuild import cloudbuild_util, config

    try:
        build = config.LoadCloudbuildConfigFromPath(path, cloudbuild_util.GetMessagesModule(), {})
    except Exception as err:  # the parser raises many types, and each is a finding
        sys.exit("%s: %s" % (type(err).__name__, str(err)[:500]))
    print("substitutions", *sorted(p.key for p in build.substitutions.additionalProperties))
    for step in build.steps:
        print("step", step.id, ",".join(step.waitFor) or "-before", step.script)


if __name__ == "__main__":
    main(*sys.argv[1:])
