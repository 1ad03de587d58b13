"""From sessions to a decoder: cross-validate, then predict live and publish the gesture as an LSL outlet.

pip install scikit-learn
python examples/train_and_predict.py sessions
"""

import sys
import threading
from itertools import islice

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from myogestic_tui import App, LSLSource, Stream, StreamInfo, local_clock
from myogestic_tui.session import split, windows
from myogestic_tui.sources import Outlet

W = windows(sys.argv[1:], "emg", win_s=0.2, hop_s=0.1, skip_start_s=0.3, any_source=True)
log_rms = FunctionTransformer(lambda X: np.log(np.sqrt(np.mean(np.square(X, dtype=float), axis=2)) + 1e-9))
model = make_pipeline(log_rms, LinearDiscriminantAnalysis()).fit(W.X, W.y)
by = "subject" if len(set(W.meta["subject"])) > 1 else "trial"
print(f"{W}\naccuracy by {by}: {cross_val_score(model, W.X, W.y, cv=split(W, by=by)).mean():.2f}")


def predict(app):
    outlet = Outlet("prediction", StreamInfo(1, 0.0, "string", type="Markers", source_id="prediction"))
    for window, timestamps in islice(app.ctx.streams["emg"].windows(0.2, 0.1, channels=W.channel_names), 20):
        gesture = W.class_names[model.predict(window[None])[0]]
        outlet.push_text([[gesture]], [timestamps[-1]])
        print(f"{gesture}  {1000 * (local_clock() - timestamps[-1]):.0f} ms after the last sample", flush=True)
    app.stop()


app = App("Predict")
app.streams(Stream("emg", source=LSLSource(type="EMG")))
app.before_run_hooks.append(lambda app: threading.Thread(target=predict, args=(app,)).start())
raise SystemExit(app.run(mode="headless"))
