"""The rival of :mod:`bench.wechat`, run by an environment of its own: WeRoBot behind waitress, answering at once.

python werobot_server.py PORT TOKEN APP_ID AES_KEY
"""

import sys

from waitress import serve
from werobot import WeRoBot

port, token, app_id, key = sys.argv[1:]
encrypted = {"ENCODING_AES_KEY": key, "APP_ID": app_id} if key else {}
robot = WeRoBot(token=token, enable_session=False)
robot.config.update({"TOKEN": token, **encrypted})


@robot.text
def answer(message):
    return f"答：{message.content}"


serve(robot.wsgi, host="127.0.0.1", port=int(port), threads=8, backlog=4096, connection_limit=1000, _quiet=True)
