import io
import threading

from lumora.log_output import LogOutput


class SleepingReader(io.StringIO):
    """A terminal that was stopped: a write never ends until it is woken."""

    def __init__(self):
        super().__init__()
        self.woken = threading.Event()

    def write(self, text):
        self.woken.wait()
        return super().write(text)


class GoneReader(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def test_a_sleeping_reader_does_not_stop_the_writer():
    reader = SleepingReader()
    output = LogOutput(reader)
    for n in range(30_000):
        output.write(f"line {n}")
    reader.woken.set()
    output.close()
    text = reader.getvalue()
    assert text.startswith("line 0\n")
    assert "lines were dropped" in text


def test_a_reader_that_is_gone_does_not_stop_the_writer():
    output = LogOutput(GoneReader())
    for n in range(30_000):
        output.write(f"line {n}")
    output.close()


def test_everything_is_written_in_order():
    stream = io.StringIO()
    output = LogOutput(stream)
    for n in range(100):
        output.write(str(n))
    output.close()
    assert stream.getvalue().split() == [str(n) for n in range(100)]
