"""Train a classifier on sessions, then predict live and publish the class as an LSL outlet.

pip install scikit-learn
python examples/train_and_predict.py sessions/*.session.zip
"""

import sys
import threading

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import labeled_windows, open_session_store
from myogestic_tui.sources import LSLSource, Outlet

WINDOW, HOP, paths = 0.2, 0.1, sys.argv[1:]


def log_rms(windows):
    """``(n, n_channels, n_samples)`` to ``(n, n_channels)``."""
    return np.log(np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=2)) + 1e-9)


with open_session_store(paths[0]) as session:
    class_names, emg_name = session.class_names, session.stream_info("emg").source_id

X, y, groups = labeled_windows(paths, "emg", WINDOW, HOP)
model = make_pipeline(FunctionTransformer(log_rms), LinearDiscriminantAnalysis())
folds = GroupKFold(min(5, len(set(groups))))
print(f"{len(X)} windows, cross-validated accuracy {cross_val_score(model, X, y, groups=groups, cv=folds).mean():.2f}")
model.fit(X, y)

app = App("Predict")
app.streams(Stream("emg", source=LSLSource(source_id=emg_name), window_seconds=WINDOW))


def predict(app):
    def run():
        stream, outlet = app.ctx.streams["emg"], Outlet("prediction", StreamInfo(1, 0.0, "int32", type="Markers"))
        for _ in range(20):
            app.stopping.wait(HOP)
            window, _ = stream.get_window()
            if window.shape[1] == X.shape[2]:
                (class_index,) = model.predict(window[None])
                outlet.push(np.array([[class_index]], np.int32), np.array([local_clock()]))
                print(class_names[class_index], flush=True)
        outlet.close()
        app.stop()

    threading.Thread(target=run).start()


app.before_run_hooks.append(predict)
raise SystemExit(app.run(mode="headless"))
