import pytest, time
@pytest.mark.parametrize("i", range(80))
def test_q(viewer_in_pty, i):
    terminal = viewer_in_pty("moving", "screen=live", columns=160, lines=50); terminal.wait_for("emg 1-")
    terminal.press("q")
    terminal.press("enter")
    try:
        code = terminal.wait_exit(10)
    except Exception:
        assert 0, terminal.text
    time.sleep(.3)
    assert code == 0, terminal.output[-6000:].decode()
