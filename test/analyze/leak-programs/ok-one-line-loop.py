"""A loop on a single line that keeps nothing: its cycles are garbage."""
import collections
import json

recent = collections.deque(maxlen=5)
for i in range(300): recent.append([i, json.dumps({"round": i})])
