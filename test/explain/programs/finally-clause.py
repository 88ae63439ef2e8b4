def divide(x, y, log):
    try:
        result = [x / y]
    except ZeroDivisionError:
        log.append("zero")
        return log
    finally:
        log.append("done")
    return result

log = []
r = divide(2, 1, log)
r = divide(2, 0, log)
