"""The sink as a process of its own, ended by SIGINT or SIGTERM."""

import argparse
import signal

from tests.mail_sink.server import MailSink


def main() -> None:
    parser = argparse.ArgumentParser(description="Keeps every mail and shows it on a page.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    ports = parser.parse_args()
    ends = {signal.SIGINT, signal.SIGTERM}
    # Before the thread starts, so that it inherits the mask and the signal waits for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with MailSink(ports.smtp_port, ports.http_port):
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
