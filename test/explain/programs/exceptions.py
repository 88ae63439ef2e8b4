class Problem(Exception):
    pass

payload = ["payload"]
try:
    raise Problem(payload)
except Problem as error:
    kept = error.args[0]
    args = error.args
args = None
