// Texts of the writing aids, in the language of ComfyUI's page.

import { say } from "../waveform/messages.js";

/** @type {Record<string, Record<string, string>>} */
export const MESSAGES = {
  en: {
    insert: "Put [{tag}] at the cursor, on a line of its own",
    more: "More sections",
    words: "{count} words",
    characters: "{count} characters",
    pace: "{rate}/s",
    sparse: "few",
    fine: "fine",
    dense: "too dense",
    usual: "About {syllables} syllables in {seconds} s, {pace} a second. Usual are {least} to {most}, over the whole song",
    noWords: "No words to sing yet",
    instrumental: "Instrumental: not sung",
    automatic: "length automatic",
    style: "Style",
    styles: "Words of style: a click adds one to the caption or takes it away",
    genre: "Genre",
    mood: "Mood",
    instruments: "Instruments",
    voice: "Voice",
    polish: "Polish",
    polishes: "Rewrites caption and lyrics with the language model (Format Sample); Back brings yours back",
    stop: "Stop",
    stops: "Stops polishing; your words stay",
    polishing: "Polishing …",
    back: "Back",
    backs: "The words as they were before; once more for the polished ones",
    polished: "Polished",
    notPolished: "Not polished",
    noModel: "No language model among ComfyUI's text encoders",
  },
  zh: {
    insert: "在光标处插入 [{tag}]，单独成行",
    more: "更多段落",
    words: "{count} 词",
    characters: "{count} 字",
    pace: "{rate}/秒",
    sparse: "偏少",
    fine: "合适",
    dense: "太密",
    usual: "{seconds} 秒内约 {syllables} 个音节，每秒 {pace} 个。整首歌通常为 {least} 到 {most} 个",
    noWords: "还没有要唱的词",
    instrumental: "纯音乐：不演唱",
    automatic: "时长自动",
    style: "风格",
    styles: "风格词：点击加入描述或从中去掉",
    genre: "流派",
    mood: "情绪",
    instruments: "乐器",
    voice: "人声",
    polish: "润色",
    polishes: "用语言模型改写描述和歌词（Format Sample）；“返回”可恢复原文",
    stop: "停止",
    stops: "停止润色；原文保留",
    polishing: "正在润色…",
    back: "返回",
    backs: "恢复之前的文字；再点一次回到润色后的文字",
    polished: "已润色",
    notPolished: "未能润色",
    noModel: "ComfyUI 的文本编码器中没有语言模型",
  },
  ja: {
    insert: "カーソル位置に [{tag}] を独立した行として挿入",
    more: "ほかのセクション",
    words: "{count} 語",
    characters: "{count} 文字",
    pace: "{rate}/秒",
    sparse: "少なめ",
    fine: "適量",
    dense: "詰めすぎ",
    usual: "{seconds} 秒に約 {syllables} 音節、毎秒 {pace}。曲全体では {least}～{most} が普通です",
    noWords: "まだ歌う言葉がありません",
    instrumental: "インストゥルメンタル：歌いません",
    automatic: "長さは自動",
    style: "スタイル",
    styles: "スタイルの言葉：クリックでキャプションに追加、または削除",
    genre: "ジャンル",
    mood: "ムード",
    instruments: "楽器",
    voice: "声",
    polish: "仕上げる",
    polishes: "言語モデルでキャプションと歌詞を書き直す（Format Sample）。「戻す」で元の文に戻ります",
    stop: "中止",
    stops: "書き直しを中止（元の文はそのまま）",
    polishing: "書き直しています…",
    back: "戻す",
    backs: "前の文に戻す。もう一度押すと書き直した文になります",
    polished: "書き直しました",
    notPolished: "書き直せませんでした",
    noModel: "ComfyUI のテキストエンコーダーに言語モデルがありません",
  },
};

/** @type {Record<string, Record<string, string>>} what the words of style mean; captions have the English ones */
export const MEANINGS = {
  en: {},
  zh: {
    pop: "流行", rock: "摇滚", jazz: "爵士", electronic: "电子", "hip-hop": "嘻哈", "R&B": "节奏布鲁斯", folk: "民谣",
    classical: "古典", "lo-fi": "低保真", synthwave: "合成波", metal: "金属", country: "乡村", reggae: "雷鬼", blues: "蓝调",
    funk: "放克", ambient: "氛围", melancholic: "忧伤", uplifting: "振奋", energetic: "有活力", dreamy: "梦幻", dark: "黑暗",
    nostalgic: "怀旧", euphoric: "狂喜", intimate: "亲密", "acoustic guitar": "木吉他", "electric guitar": "电吉他",
    piano: "钢琴", "synth pads": "合成器铺底", "808 drums": "808鼓", strings: "弦乐", brass: "铜管", "electric bass": "电贝斯",
    saxophone: "萨克斯", "live drums": "真鼓", "female vocal": "女声", "male vocal": "男声", breathy: "气声",
    powerful: "有力", falsetto: "假声", raspy: "沙哑", choir: "合唱",
  },
  ja: {
    pop: "ポップ", rock: "ロック", jazz: "ジャズ", electronic: "エレクトロニック", "hip-hop": "ヒップホップ", "R&B": "R&B",
    folk: "フォーク", classical: "クラシック", "lo-fi": "ローファイ", synthwave: "シンセウェーブ", metal: "メタル", country: "カントリー",
    reggae: "レゲエ", blues: "ブルース", funk: "ファンク", ambient: "アンビエント", melancholic: "物悲しい", uplifting: "高揚感",
    energetic: "エネルギッシュ", dreamy: "夢見るような", dark: "ダーク", nostalgic: "ノスタルジック", euphoric: "多幸感", intimate: "親密",
    "acoustic guitar": "アコースティックギター", "electric guitar": "エレキギター", piano: "ピアノ", "synth pads": "シンセパッド",
    "808 drums": "808ドラム", strings: "ストリングス", brass: "ブラス", "electric bass": "エレキベース", saxophone: "サックス",
    "live drums": "生ドラム", "female vocal": "女性ボーカル", "male vocal": "男性ボーカル", breathy: "息混じり", powerful: "力強い",
    falsetto: "ファルセット", raspy: "ハスキー", choir: "合唱",
  },
};

/** @param {string} word of style @returns {string} empty in English */
export function meaningOf(word) {
  const meaning = say(MEANINGS, word);
  return meaning === word ? "" : meaning;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} [values] what stands in the braces
 * @returns {string}
 */
export function translate(name, values = {}) {
  return say(MESSAGES, name, values);
}
